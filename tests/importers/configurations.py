"""LiteLLM proxy configurations, in the manner that people write them."""

from collections.abc import Sequence
from pathlib import Path

from des.importers import Imported, import_litellm

TWO_REGIONS = """\
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: azure/gpt-4o-eu
      api_base: https://my-eu.openai.azure.com/
      api_key: os.environ/AZURE_EU_KEY
      rpm: 600
      timeout: 30
    model_info: {base_model: azure/gpt-4o}
  - model_name: gpt-4o
    litellm_params:
      model: azure/gpt-4o-us
      api_base: https://my-us.openai.azure.com/
      api_key: os.environ/AZURE_US_KEY
      rpm: 300
      tpm: 280000
    model_info: {base_model: azure/gpt-4o}
  - model_name: claude
    litellm_params:
      model: anthropic/claude-sonnet-4-5
      api_key: os.environ/ANTHROPIC_API_KEY
      stream_timeout: 10
  - model_name: mini
    litellm_params: {model: gpt-5-mini}
  - model_name: local
    litellm_params: {model: ollama/llama3, api_base: "http://localhost:11434"}
router_settings:
  num_retries: 3
  cooldown_time: 30
litellm_settings:
  fallbacks: [{gpt-4o: [claude, mini]}]
  context_window_fallbacks: [{gpt-4o: [claude]}]
  success_callback: [langfuse]
general_settings:
  master_key: os.environ/MASTER_KEY
"""


def deployment(group: str, model: str, **params: object) -> str:
    """One entry of a model_list, in YAML."""
    said = "".join(f", {key}: {value}" for key, value in params.items())
    return f"  - {{model_name: {group}, litellm_params: {{model: {model}{said}}}}}\n"


def configuration(*deployments: str, **sections: str) -> str:
    """A model_list, and sections as flow mappings."""
    return "model_list:\n" + "".join(deployments) + "".join(f"{name}: {text}\n" for name, text in sections.items())


def imported(folder: Path, text: str, *, model: str | None = None, assignments: Sequence[str] = ()) -> Imported:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return import_litellm(path, model=model, assignments=assignments)


def chain(found: Imported) -> list[str]:
    """The entries of the chain: names of groups, provider/model of legs by themselves."""
    return [entry.get("group") or f"{entry['provider']}/{entry['model']}" for entry in found.content["chain"]]


def remarks(found: Imported) -> list[str]:
    """`line path: message` of each, without the file."""
    return [f"{each.line} {each.path}: {each.message}" for each in found.remarks]
