"""An export on the Hugging Face Hub: the files that its manifest names, the manifest, and its card as README.md.

They go up in one commit; whatever else lies in the folder of a format that is a folder stays behind. The token comes
from the environment (`HF_TOKEN`) alone, and the address from `HF_ENDPOINT` where it is set. A repository that is made
here is private.
"""

import json
import os
from pathlib import Path

from tertulia.errors import UserError
from tertulia.exporting.card import Papers

__all__ = ["push"]


def push(name: str, export: Path, papers: Papers) -> str:
    """Upload an export to the dataset repository `name` (`owner/name`); the address of the commit.

    Raises:
        UserError: if huggingface_hub or the token is missing, or the Hub refuses."""
    try:
        import huggingface_hub as hub  # noqa: PLC0415 - an extra
    except ImportError:
        raise UserError("--push needs huggingface_hub: pip install 'tertulia[hub]'") from None
    token = os.environ.get("HF_TOKEN", "")
    if not token:
        raise UserError("--push needs a token in the environment variable HF_TOKEN")
    api = hub.HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token)
    beside = json.loads(papers.manifest.read_text(encoding="utf-8"))["beside"]
    files = {"README.md": papers.card, papers.manifest.name: papers.manifest}
    files |= {export.name: export} if export.is_file() else {}
    files |= {place: export.parent / place for place in beside}
    added = [hub.CommitOperationAdd(place, path) for place, path in files.items()]
    try:
        api.create_repo(name, repo_type="dataset", private=True, exist_ok=True)
        made = api.create_commit(name, added, commit_message=f"{export.name} by tertulia", repo_type="dataset")
    except (OSError, ValueError, hub.errors.HfHubHTTPError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(f"--push {name}: {first.replace(token, '***')}") from None
    return str(made.commit_url)
