"""The namespace controller: what every namespace has, and emptying one that is being deleted."""
