"""Extraction and comparison rules that several benchmarks share."""
