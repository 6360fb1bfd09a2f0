"""Makes a tiny chat model with random weights, and a tokenizer of the project's own prompts, for `real_engine.py`.

Runs where torch and transformers are; nothing is downloaded.

    python bench/tiny_model.py FOLDER
"""

import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CONTEXT, WORDS, LAYERS, WIDTH, HEADS, SEED = 16_384, 2_048, 2, 64, 4, 7
TEXTS = Path(__file__).resolve().parent.parent
BEGIN, END = "<|im_start|>", "<|im_end|>"
TEMPLATE = (  # ChatML; tools stand as JSON in front
    "{% if tools %}" + BEGIN + "system\n{{ tools | tojson }}" + END + "\n{% endif %}"
    "{% for message in messages %}" + BEGIN + "{{ message.role }}\n"
    "{{ message.content or '' }}{% if message.tool_calls %}{{ message.tool_calls | tojson }}{% endif %}" + END + "\n"
    "{% endfor %}{% if add_generation_prompt %}" + BEGIN + "assistant\n{% endif %}"
)


def tokenizer() -> PreTrainedTokenizerFast:
    """Byte pairs of the prompts and scenarios, and the two marks of ChatML."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=WORDS, special_tokens=[BEGIN, END], initial_alphabet=letters)
    made.train([str(path) for path in sorted(TEXTS.rglob("*")) if path.suffix in (".txt", ".yaml", ".md")], trainer)
    whole = PreTrainedTokenizerFast(tokenizer_object=made, bos_token=BEGIN, eos_token=END, pad_token=END)
    whole.chat_template = TEMPLATE
    whole.model_max_length = CONTEXT
    return whole


def main(folder: Path) -> None:
    torch.manual_seed(SEED)
    words = tokenizer()
    end = words.convert_tokens_to_ids(END)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=CONTEXT,
        bos_token_id=words.convert_tokens_to_ids(BEGIN),
        eos_token_id=end,
        pad_token_id=end,
    )
    model = LlamaForCausalLM(config)
    model.generation_config.do_sample = True
    model.save_pretrained(folder)
    words.save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
