"""The only place where anything runs that an agent, a stranger or a repository wrote.

A program is described by a `Confinement` and started by what a `Sandbox` makes of it.
"""
