"""The files that the pipeline sends to Raito Cloud: rows -> JSON elements -> one JSON array a file.

Every file is written in a stream, in the order of its rows, so that equal rows give equal bytes.
"""
