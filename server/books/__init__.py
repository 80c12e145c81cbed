"""The books: what is over, kept for good in PostgreSQL. The only place that knows SQL."""
