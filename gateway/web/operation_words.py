"""What staff are told about operations: what is done, how far it is, and what became of each item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.operation import ItemOutcome, OperationAction, OperationState, Turn
from gateway.web.state_words import BAD, GOOD, ON_ITS_WAY, WARNING, StateWord

ACTION_WORDS: Final[Mapping[OperationAction, tuple[str, str]]] = {
    OperationAction.RESEND: ("Försök igen", "Try again"),
    OperationAction.DISCARD: ("Skriv av", "Discard"),
    OperationAction.RESTORE: ("Återställ", "Restore"),
}
"""What is done to each."""

OPERATION_WORDS: Final[Mapping[OperationState, StateWord]] = {
    OperationState.WAITING: StateWord("Väntar på sin tur", "Waits for its turn", "…", ON_ITS_WAY),
    OperationState.RUNNING: StateWord("Pågår", "Running", "→", ON_ITS_WAY),
    OperationState.PAUSED: StateWord("Pausad", "Paused", "‖", WARNING),
    OperationState.DONE: StateWord("Klar", "Done", "✓", GOOD),
    OperationState.STOPPED: StateWord("Stoppad", "Stopped", "■", WARNING),
}
"""How far an operation is."""

OUTCOME_WORDS: Final[Mapping[ItemOutcome | None, StateWord]] = {
    ItemOutcome.DONE: StateWord("Gjort", "Done", "✓", GOOD),
    ItemOutcome.WOULD_BE_DONE: StateWord("Skulle göras", "Would be done", "✓", ON_ITS_WAY),
    ItemOutcome.REFUSED: StateWord("Gjordes inte", "Was not done", "✗", WARNING),
    ItemOutcome.FAILED: StateWord("Gick fel", "Went wrong", "✗", BAD),
    None: StateWord("Inte än", "Not yet", "…", ON_ITS_WAY),
}
"""What became of an item."""

TURN_WORDS: Final[Mapping[Turn, tuple[str, str]]] = {
    Turn.PAUSE: ("Pausa", "Pause"),
    Turn.CONTINUE: ("Fortsätt", "Continue"),
    Turn.STOP: ("Stoppa", "Stop"),
}
"""What may be done to an operation."""
