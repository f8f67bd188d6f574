"""The commands a person types: compose the configuration, plan, submit, follow."""
