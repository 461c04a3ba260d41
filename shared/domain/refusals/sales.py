"""Refusals of sales."""

from shared.errors import NotFound, Refusal


class UploadNotFound(NotFound):
    """This business has no such upload."""

    text_key = "NOT_FOUND_UPLOAD"


class ReceiptNotFound(NotFound):
    """This business has no such receipt."""

    text_key = "NOT_FOUND_RECEIPT"


class AlreadyVoided(Refusal):
    """The sale was taken out of the books before."""

    error_code = "ALREADY_VOIDED"
    status = 409


class EntryAlreadyVoided(AlreadyVoided):
    """An expense, collection, opening debt or stock entry was taken out of the books before."""

    text_key = "ALREADY_VOIDED_ENTRY"


class InvalidCsvFormat(Refusal):
    """The file is no sales ledger."""

    error_code = "INVALID_CSV_FORMAT"
    status = 400


class MissingColumns(InvalidCsvFormat):
    """The ledger lacks columns it needs; params `missing`."""

    text_key = "INVALID_CSV_FORMAT_COLUMNS"


class LostText(InvalidCsvFormat):
    """Nothing but question marks is left of the names."""

    text_key = "INVALID_CSV_FORMAT_TEXT_LOST"


class NoSuchSheet(InvalidCsvFormat):
    """The workbook has no sheet of the name or number that was asked for."""

    text_key = "INVALID_CSV_FORMAT_NO_SHEET"


class MoneyWithoutProducts(InvalidCsvFormat):
    """The file has money per invoice or customer, without products."""

    text_key = "INVALID_CSV_FORMAT_NO_PRODUCTS"


class EncryptedWorkbook(InvalidCsvFormat):
    """The workbook is protected by a password."""

    text_key = "INVALID_CSV_FORMAT_ENCRYPTED"


class FormulasWithoutValues(InvalidCsvFormat):
    """The workbook has formulas, and no values that a program calculated from them."""

    text_key = "INVALID_CSV_FORMAT_FORMULAS"


class WorkbookTooLarge(InvalidCsvFormat):
    """The workbook unpacks to more than can be read."""

    text_key = "INVALID_CSV_FORMAT_TOO_LARGE_INSIDE"


class FileInUse(Refusal):
    """The file of an upload is still read, or its upload waits for answers."""

    error_code = "FILE_IN_USE"
    status = 409


class UploadNotWaiting(Refusal):
    """The upload waits for no answers."""

    error_code = "UPLOAD_NOT_WAITING"
    status = 409


class UploadNotCompleted(Refusal):
    """Only what was read to its end can be undone or replaced."""

    error_code = "UPLOAD_NOT_COMPLETED"
    status = 409


class UndoTooLate(Refusal):
    """The upload is more than 30 days old; params none, `until` in details."""

    error_code = "UNDO_TOO_LATE"
    status = 409


class AlreadyUndone(Refusal):
    """The upload was undone before."""

    error_code = "ALREADY_UNDONE"
    status = 409


class AmbiguousDates(Refusal):
    """The dates can be read both ways, day first and month first."""

    error_code = "AMBIGUOUS_DATES"
    status = 400


class InvalidImageFormat(Refusal):
    """The image is neither JPEG nor PNG, or broken."""

    error_code = "INVALID_IMAGE_FORMAT"
    status = 400


class TooManyUploads(Refusal):
    """The business has used its uploads up for now; params `retry_after`."""

    error_code = "TOO_MANY_UPLOADS"
    status = 429
