"""Engines that turn prompts into responses, text encoders, prices."""
