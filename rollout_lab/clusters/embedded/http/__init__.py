"""How the in-process API travels over HTTP: paths, content types, options, lists, watches, discovery."""
