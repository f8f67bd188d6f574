"""What runs inside an allocation: planning, claims, workers and the callables of every step."""
