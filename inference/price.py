"""Tokens -> USD."""

from inference.spec import ModelSpec


def cost_usd(model: ModelSpec, prompt_tokens: int, completion_tokens: int) -> float:
    """Cost of one answer in USD, NaN if the model has no price (LLMRouterBench, section on costs).

    Args:
        prompt_tokens, completion_tokens: -1 where unknown, which makes the cost unknown too.
    """
    prices = (model.price_prompt_usd, model.price_completion_usd)
    if prices[0] is None or prices[1] is None or prompt_tokens < 0 or completion_tokens < 0:
        return float("nan")
    return (prompt_tokens * prices[0] + completion_tokens * prices[1]) / 1e6
