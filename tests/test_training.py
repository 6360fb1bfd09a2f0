"""TRL trains on our files: each of its trainers takes several steps, with tools in the template.

The model is tiny and drawn at random, the tokenizer is made of the rows themselves; nothing is fetched. The tests need
`tertulia[train]`, which is large, so they are skipped without it: `make verify` runs them.
"""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

import tertulia

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
datasets = pytest.importorskip("datasets")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
trl = pytest.importorskip("trl")
tokenizers = pytest.importorskip("tokenizers")

from tertulia.verifying.templates import own_tokenizer  # noqa: E402 - after the skips

pytestmark = pytest.mark.filterwarnings("default")  # those libraries warn of what is theirs

STEPS = 4
FORMATS = ["sft", "dpo", "kto", "reward"]
TEMPLATES = ["own", "qwen2_5", "qwen3"]  # ours, and two that TRL ships
KINDS = ["jsonl", "parquet"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Conversations with tools and many drafts that were sent back."""
    run = tertulia.run("parcels", n=24, out=tmp_path_factory.mktemp("train") / "run", slips=0.5, seed=5)
    for name in FORMATS:
        run.export(name, run.folder / "exports" / f"{name}.jsonl", force=True)
        run.export(name, run.folder.parent / f"{name}.parquet")
    return run


def rows(run, name: str, kind: str = "jsonl") -> Any:
    """A format as a trainer's user loads it: by its configuration in the folder, or from Parquet."""
    datasets.disable_progress_bars()
    cache = str(run.folder.parent / "cache")
    if kind == "jsonl":
        return datasets.load_dataset(str(run.folder / "exports"), name, split="train", cache_dir=cache)
    file = str(run.folder.parent / f"{name}.parquet")
    return datasets.load_dataset("parquet", data_files=file, split="train", cache_dir=cache)


@pytest.fixture(scope="module")
def tokenizer(run):
    """Byte pairs learnt from the rows, so that sequences are short enough for a processor."""
    made = own_tokenizer()
    texts = [json.dumps(row, ensure_ascii=False) for row in rows(run, "sft")]
    learnt = made.train_new_from_iterator(texts, vocab_size=2_000, show_progress=False)
    learnt.chat_template = made.chat_template
    return learnt


def template_of(name: str) -> str:
    if name == "own":
        return own_tokenizer().chat_template
    return (Path(trl.__file__).parent / "chat_templates" / f"{name}_training.jinja").read_text(encoding="utf-8")


def config(tokenizer) -> Any:
    return transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=8_192,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )


def model(tokenizer) -> Any:
    torch.manual_seed(0)
    return transformers.LlamaForCausalLM(config(tokenizer))


def settings(tmp_path: Path, **more: Any) -> dict[str, Any]:
    return {
        "output_dir": str(tmp_path),
        "max_steps": STEPS,
        "per_device_train_batch_size": 2,
        "learning_rate": 1e-2,
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "use_cpu": True,
        "bf16": False,
        "disable_tqdm": True,
        "max_length": 8_192,
    } | more


def losses(trainer) -> list[float]:
    """Train, and give the loss of each step."""
    before = {name: value.detach().clone() for name, value in trainer.model.named_parameters()}
    trainer.train()
    moved = [name for name, value in trainer.model.named_parameters() if not torch.equal(before[name], value)]
    assert moved, "no weight has changed"
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def took(found: list[float]) -> bool:
    return len(found) == STEPS and all(map(math.isfinite, found))


@pytest.mark.parametrize("kind", KINDS)
def test_sft_trainer_learns_from_our_conversations(run, tokenizer, tmp_path, kind):
    arguments = trl.SFTConfig(**settings(tmp_path, assistant_only_loss=True))
    trainer = trl.SFTTrainer(
        model(tokenizer),
        args=arguments,
        train_dataset=rows(run, "sft", kind).select(range(8)),
        processing_class=tokenizer,
    )

    found = losses(trainer)

    assert took(found)
    assert found[-1] < found[0]


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_labels_are_what_the_assistant_says_and_calls_and_nothing_else(run, tokenizer, tmp_path, template):
    given = rows(run, "sft").select(range(8))
    tokenizer.chat_template = template_of(template)
    arguments = trl.SFTConfig(**settings(tmp_path, assistant_only_loss=True))
    trainer = trl.SFTTrainer(model(tokenizer), args=arguments, train_dataset=given, processing_class=tokenizer)
    tokenizer.chat_template = template_of("own")

    assert len(trainer.train_dataset) == len(given)
    for row, made in zip(given, trainer.train_dataset, strict=True):
        learnt = stretches(tokenizer, made)
        own = [message for message in row["messages"] if message["role"] == "assistant"]
        assert len(learnt) == len(own)
        for text, message in zip(learnt, own, strict=True):
            assert message["content"] in text
            assert all(call["function"]["name"] in text for call in message.get("tool_calls", ()))
            frame = len(text) - len(message["content"]) - len(json.dumps(message.get("tool_calls", ())))
            assert frame < 60  # the end of the turn and the words around a call
        assert json.loads(row["tools"])[0]["function"]["description"] in tokenizer.decode(made["input_ids"])


def stretches(tokenizer, made: dict[str, Any]) -> list[str]:
    """The texts of the runs of labels that bear loss."""
    found: list[list[int]] = [[]]
    for token, label in zip(made["input_ids"], made["labels"], strict=True):
        assert label in (token, -100)
        if label != -100:
            found[-1].append(token)
        elif found[-1]:
            found.append([])
    return [tokenizer.decode(tokens) for tokens in found if tokens]


@pytest.mark.parametrize("kind", KINDS)
def test_dpo_trainer_learns_from_our_pairs(run, tokenizer, tmp_path, kind):
    given = rows(run, "dpo", kind).select(range(8))
    trainer = trl.DPOTrainer(
        model(tokenizer),
        ref_model=model(tokenizer),
        args=trl.DPOConfig(**settings(tmp_path)),
        train_dataset=given,
        processing_class=tokenizer,
    )

    assert all(made["chosen_ids"] != made["rejected_ids"] for made in trainer.train_dataset)
    first = tokenizer.decode(trainer.train_dataset[0]["prompt_ids"])
    assert json.loads(given[0]["tools"])[0]["function"]["name"] in first
    assert took(losses(trainer))


@pytest.mark.parametrize("kind", KINDS)
def test_kto_trainer_learns_from_our_judgements(run, tokenizer, tmp_path, kind):
    given = rows(run, "kto", kind)
    unwanted = [at for at, label in enumerate(given["label"]) if not label][:4]
    wanted = [at for at, label in enumerate(given["label"]) if label][:4]
    some = given.select([at for both in zip(wanted, unwanted, strict=True) for at in both])
    trainer = trl.KTOTrainer(
        model(tokenizer),
        ref_model=model(tokenizer),
        args=trl.KTOConfig(**settings(tmp_path)),
        train_dataset=some,
        processing_class=tokenizer,
    )

    assert took(losses(trainer))


@pytest.mark.parametrize("kind", KINDS)
def test_reward_trainer_learns_from_our_comparisons(run, tokenizer, tmp_path, kind):
    torch.manual_seed(0)
    scorer = transformers.LlamaForSequenceClassification(config(tokenizer))
    scorer.config.num_labels = 1
    scorer.score = torch.nn.Linear(32, 1, bias=False)
    given = rows(run, "reward", kind).select(range(8))
    trainer = trl.RewardTrainer(
        scorer, args=trl.RewardConfig(**settings(tmp_path)), train_dataset=given, processing_class=tokenizer
    )

    assert len(trainer.train_dataset) == len(given)
    assert took(losses(trainer))


def test_a_verification_with_every_consumer_installed_leaves_nothing_unchecked(run):
    for name in FORMATS:
        found = run.verify(name)
        assert (found.faults, found.unchecked) == ([], {})
        assert "datasets" in found.checked
