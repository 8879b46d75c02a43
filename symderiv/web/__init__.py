"""The page: questions and answers as plain data, the server that hands them on, the static folder.

`answers` is what both forms of the page ask: a function from one dictionary to another that keeps nothing.
"""
