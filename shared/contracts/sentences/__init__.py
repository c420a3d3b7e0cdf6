"""The sentences that tell people what happened: one module per actor kind, named by its entry in `kinds` (pure).

They are made when somebody asks, and stored nowhere, so that better words need no rebuild. They stand apart from the
contracts because a snapshot is thrown away when the contract's module changes.
"""
