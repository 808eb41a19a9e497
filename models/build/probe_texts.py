"""Texts whose float vectors go into the manifest, so that loading can tell a sound model from a broken one.

Three lengths, because quantisation error and the integer kernels' paths differ with length: a short request, one
tool-like sentence, and one of about 40 tokens. Written for this purpose; changing one changes the manifest only.
"""

PROBE_TEXTS = [
    "What will the weather be like in Lisbon tomorrow?",
    "create_issue: open a new issue in a repository, with a title, a body and optional labels.",
    "Search the customer's mailbox for messages from a given sender within a range of dates, and return the subject, "
    "the time of arrival and the first lines of each message, newest first, at most fifty per page.",
]
