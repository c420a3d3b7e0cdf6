"""The dashboard's and scripts' HTTP API: commands by the desk, questions by the projector."""
