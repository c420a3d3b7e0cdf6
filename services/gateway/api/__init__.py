"""The dashboard's and scripts' HTTP API (CONTRACT.md): commands by the desk, questions by the projector."""
