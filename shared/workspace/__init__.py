"""Git workspaces: one private mirror per target repository, one worktree per task, bundles in between.

Only the gateway reaches remote repositories (``credentials.py``, ``remote_access.py``); the others have their mirrors
filled by it (``gateway_git.py``, ``mirror_bundle.py``). An executor works in a ``Worktree`` and hands its result over
as a bundle; only the gateway calls ``publish_branch``. The agent can write to its worktree and to the small repository
behind it, never to the mirror: every git call of ours runs with a git directory whose configuration we wrote.
"""
