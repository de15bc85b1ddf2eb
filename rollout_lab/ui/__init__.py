"""The page: Streamlit around one live picture.

Here lives what a person sees in the browser. Pure builders (`scene`, `progress`, `series`,
`controls`, `payload`) turn a picture of `observe.picture` into what the drawing in ``frontend/``
needs, words included; the shells around them (`session`, `live`, `editor`, `lab_page`) hold the
Streamlit calls. What a rollout does is decided elsewhere: nothing here knows a rule of the engine.
"""
