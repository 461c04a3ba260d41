"""Command handler of the owner's answers to an upload's questions."""

from shared.domain.events.sales import UploadAnswered
from shared.domain.refusals.sales import UploadNotFound, UploadNotWaiting
from shared.eventstore.command import CommandContext, Result
from shared.eventstore.store import UnitOfWork
from shared.http.error_handlers import invalid_field
from shared.texts import Phrase
from write_side.sales import aggregate
from write_side.sales.aggregate import Upload
from write_side.sales.upload.mapping import ANSWERS


def answer_upload(
    ctx: CommandContext, file_id: str, answers: dict[str, str], mapping: dict[str, str]
) -> Result[dict[str, str]]:
    """Record answers, and columns that the owner chose; raises UploadNotFound, UploadNotWaiting, InvalidFields."""

    def answer(unit: UnitOfWork) -> dict[str, str]:
        upload = aggregate.load(unit.load(aggregate.stream_of(file_id)))
        if upload is None or upload.business_id != ctx.business_id:
            raise UploadNotFound
        unit.append(aggregate.stream_of(file_id), upload.version, decide(upload, answers, mapping))
        return {"file_id": file_id}

    return ctx.execute(answer)


def decide(upload: Upload, answers: dict[str, str], mapping: dict[str, str]) -> UploadAnswered:
    """Return that the owner answered; raises UploadNotWaiting, and InvalidFields for what was not asked or offered."""
    if not upload.waiting:
        raise UploadNotWaiting(details={"file_id": upload.file_id})
    offered = {question.code: [choice.value for choice in question.choices] for question in upload.questions}
    for code, value in answers.items():
        place = f"{ANSWERS}.{code}"
        if code not in offered:
            raise invalid_field(place, "extra_forbidden", Phrase("FIELD_UNKNOWN"))
        if value not in offered[code]:
            raise invalid_field(place, "literal_error", Phrase("FIELD_INVALID"))
    if not answers and not mapping:
        raise invalid_field(ANSWERS, "missing", Phrase("FIELD_MISSING"))
    return UploadAnswered(upload.file_id, upload.layout, answers, mapping)
