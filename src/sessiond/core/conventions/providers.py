"""Who serves a model."""

from collections.abc import Mapping
from typing import Final

from sessiond.core.conventions.row import CLAUDE_CODE_REQUEST, Row, rows

PROVIDER: Final = (
    *rows(
        "gen_ai.provider.name",
        "gen_ai.system",
        "llm.provider",
        "llm.system",
        "ai.model.provider",
        "mlflow.llm.provider",
        "langsmith.metadata.ls_provider",
        "gen_ai.model.provider",
        "gen_ai.llm.provider",
        "gen_ai.request.provider",
    ),
    Row("name", "span", value="anthropic", when=CLAUDE_CODE_REQUEST),
    # Only where a framework stands in the provider's place: who makes models named so.
    Row("request_model", "meaning"),
    Row("response_model", "meaning"),
)

FRAMEWORKS: Final = frozenset(
    {
        "strands-agents",
        "microsoft.agent_framework",
        "langchain",
        "langgraph",
        "crewai",
        "spring_ai",
        "haystack",
        "llamaindex",
        "llama_index",
        "semantic_kernel",
        "autogen",
        "openai_agents",
        "openai-agents",
        "pydantic-ai",
        "agno",
        "mastra",
        "google-adk",
    }
)
"""Frameworks that write their own name where the provider belongs: not a provider."""

PROVIDER_SUFFIX: Final = (
    r"\.(chat|messages|responses|completion|completions|embedding|embeddings|embed|image|generative-ai|speech|transcription)$"
)
"""The API behind a provider, as the Vercel AI SDK appends it."""

_PROVIDERS: Final[dict[str, tuple[str, ...]]] = {
    "openai": ("openai",),
    "azure": (
        "azure",
        "az.ai.openai",
        "azure.ai.openai",
        "az.ai.inference",
        "azure.ai.inference",
        "azure_openai",
        "azure-openai",
        "azure_ai",
    ),
    "anthropic": ("anthropic",),
    "google": (
        "anthropic_vertex",
        "gcp.gemini",
        "gemini",
        "google",
        "google_genai",
        "google_generativeai",
        "google.generative-ai",
        "gcp.gen_ai",
        "gcp.vertex_ai",
        "vertex_ai",
        "vertexai",
        "google_vertex",
        "google.vertex",
    ),
    "aws": (
        "aws.bedrock",
        "aws_bedrock",
        "bedrock",
        "bedrock_converse",
        "amazon-bedrock",
        "amazon_bedrock",
        "aws",
    ),
    "mistral": (
        "mistral_ai",
        "mistralai",
        "mistral",
    ),
    "x-ai": (
        "x_ai",
        "xai",
        "x-ai",
    ),
    "groq": ("groq",),
    "cohere": ("cohere",),
    "deepseek": ("deepseek",),
    "perplexity": ("perplexity",),
    "moonshotai": (
        "moonshot_ai",
        "moonshot",
    ),
    "together": (
        "together",
        "together_ai",
        "togetherai",
    ),
    "fireworks": (
        "fireworks",
        "fireworks_ai",
    ),
    "openrouter": ("openrouter",),
    "cerebras": ("cerebras",),
    "watsonx": (
        "ibm.watsonx.ai",
        "watsonx",
    ),
    "ollama": ("ollama",),
    "huggingface": (
        "huggingface",
        "hugging_face",
    ),
    "zai": ("zai",),
    "minimax": ("minimax",),
    "oracle": ("oracle",),
    "meta": ("meta",),
}

PROVIDER_ALIASES: Final[Mapping[str, str]] = {
    spelling: provider for provider, spellings in _PROVIDERS.items() for spelling in spellings
}
"""Every known spelling, in lower case, to the provider's one name."""

MODEL_PATTERNS: Final[Mapping[str, str]] = {
    r"^(gpt-|chatgpt|o[1-9](-|$)|text-embedding-|davinci|babbage|whisper|tts-|dall-e|computer-use-preview|codex)": "openai",
    r"^claude": "anthropic",
    r"^(gemini|gemma|learnlm|imagen|veo|palm|text-bison)": "google",
    r"^(mistral|mixtral|codestral|ministral|pixtral|magistral|devstral)": "mistral",
    r"^(command|embed-(english|multilingual)|rerank-|c4ai-)": "cohere",
    r"^deepseek": "deepseek",
    r"^grok": "x-ai",
    r"^(amazon\.|nova-|titan-|(us|eu|apac|global)\.(anthropic|amazon|meta)\.|(anthropic|meta|cohere|mistral)\.)": "aws",
    r"^(sonar|pplx)": "perplexity",
    r"^(kimi|moonshot)": "moonshotai",
    r"^glm-": "zai",
    r"^(minimax|abab)": "minimax",
    r"^llama": "meta",
}
"""Beginning of a model's name, in lower case and without a router's prefix, to the provider that makes it."""
