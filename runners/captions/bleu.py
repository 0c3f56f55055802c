"""BLEU-4 by sacrebleu (Papineni 2002; Post 2018): words are parted by spaces already."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence

from runners.failures import first_line


class Bleu(NamedTuple):
    """``score`` is 0 ... 1, None where there is no number, and ``reason`` says why."""

    score: Optional[float]
    source: str
    reason: str = ""


def bleu4(told: Sequence[str], references: Sequence[Sequence[Optional[str]]]) -> Bleu:
    """Of a whole corpus; ``references`` as runners.captions.words.references gives them."""
    try:
        from sacrebleu.metrics import BLEU
    except ImportError as error:
        return Bleu(None, "sacrebleu", f"no sacrebleu here: {first_line(error)}")
    judged = BLEU(tokenize="none", force=True)
    streams: List[List[Optional[str]]] = [list(stream) for stream in references]
    score = judged.corpus_score(list(told), streams)
    return Bleu(score.score / 100, f"sacrebleu, {judged.get_signature()}")
