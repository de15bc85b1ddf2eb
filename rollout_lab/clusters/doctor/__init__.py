"""Is this machine ready for a real cluster? `facts` holds what was seen, `gather` looks, `findings` judges.

The embedded cluster needs none of this.
"""
