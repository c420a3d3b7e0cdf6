"""The dashboard's and scripts' HTTP API: commands by `commands.py`, questions by the projector."""
