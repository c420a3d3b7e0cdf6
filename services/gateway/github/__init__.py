"""GitHub's REST API: typed calls that respect its limits and say whether a change may have happened."""
