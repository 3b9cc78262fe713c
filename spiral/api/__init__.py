"""What a notebook can do: the functions behind the command line, and ``Network``.

``import spiral`` offers them, and loads the module of each when it is used.
"""
