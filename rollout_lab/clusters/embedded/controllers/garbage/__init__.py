"""The garbage collector: objects go when their owners are gone, and owners wait or let go as asked."""
