"""The actors the planner owns."""
