"""`python -m protocol.documents`: write the documents."""

from protocol.documents.files import FOLDER, documents

for name, text in documents().items():
    (FOLDER / name).write_text(text, "utf-8")
