"""Configuration groups (YAML) and their typed schema; read by `launch` only."""
