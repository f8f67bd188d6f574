"""Benchmarks (load, prompt, score), graders, routing metrics and the report."""
