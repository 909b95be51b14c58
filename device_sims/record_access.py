"""What a meter makes of a request to its memory (Glucose Service 1.0.1, 3.4). Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from device_sims.encode.glucose import BY_SEQUENCE, Answer, OpCode, Operator


class AccessError(ValueError):
    """The request cannot be carried out; `answer` says why, in the words of the specification."""

    def __init__(self, request: int, answer: Answer) -> None:
        super().__init__(f"request {request}: {answer.name}")
        self.request = request
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that can be carried out. `chosen` takes the sequence numbers in the memory, oldest first, and returns
    those that are meant."""

    op: OpCode
    chosen: Callable[[Sequence[int]], Sequence[int]]


def read_request(frame: bytes) -> Request:
    """What was written to 0x2A52; raises `AccessError`. This meter never deletes."""
    code = frame[0] if frame else 0
    if code not in (OpCode.REPORT, OpCode.COUNT, OpCode.ABORT):
        raise AccessError(code, Answer.OP_CODE_NOT_SUPPORTED)
    op = OpCode(code)
    operator, operand = (frame[1] if len(frame) > 1 else 0), frame[2:]
    if op is OpCode.ABORT:
        if operator != Operator.NULL or operand:
            raise AccessError(code, Answer.INVALID_OPERATOR)
        return Request(op=op, chosen=lambda _numbers: ())
    return Request(op=op, chosen=_choice(code, operator, operand))


def _choice(code: int, operator: int, operand: bytes) -> Callable[[Sequence[int]], Sequence[int]]:
    whole: dict[int, Callable[[Sequence[int]], Sequence[int]]] = {
        Operator.ALL: lambda numbers: numbers,
        Operator.FIRST: lambda numbers: numbers[:1],
        Operator.LAST: lambda numbers: numbers[-1:],
    }
    if operator in whole:
        if operand:
            raise AccessError(code, Answer.INVALID_OPERAND)
        return whole[operator]
    if operator == Operator.NULL:
        raise AccessError(code, Answer.INVALID_OPERATOR)
    if operator not in (Operator.UP_TO, Operator.FROM, Operator.WITHIN):
        raise AccessError(code, Answer.OPERATOR_NOT_SUPPORTED)
    lowest, highest = _range(code, operator, operand)
    return lambda numbers: [number for number in numbers if lowest <= number <= highest]


def _range(code: int, operator: int, operand: bytes) -> tuple[int, int]:
    if operand[:1] != bytes([BY_SEQUENCE]):  # by time would be allowed too; few meters can
        raise AccessError(code, Answer.OPERAND_NOT_SUPPORTED if operand else Answer.INVALID_OPERAND)
    numbers = [int.from_bytes(operand[at : at + 2], "little") for at in range(1, len(operand), 2)]
    if len(operand) != (5 if operator == Operator.WITHIN else 3):
        raise AccessError(code, Answer.INVALID_OPERAND)
    if operator == Operator.WITHIN:
        if numbers[0] > numbers[1]:
            raise AccessError(code, Answer.INVALID_OPERAND)
        return numbers[0], numbers[1]
    return (0, numbers[0]) if operator == Operator.UP_TO else (numbers[0], 0xFFFF)
