"""The pages beside the lab page: one module each, Streamlit calls only.

What they show is built by pure modules one level up (`stage`, `comparison`, `bench`, `seats`); how a
person gets from one to another is `navigation`.
"""
