"""A real SLURM of several emulated nodes on one machine, and its test."""
