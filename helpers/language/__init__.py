"""The language of what a reader sees: English, or Chinese in notebooks/zh; `say` translates a text."""
from helpers.language.messages import language, say

__all__ = ["language", "say"]
