"""A second copy of the log: Parquet files with their hashes, and the way back."""
