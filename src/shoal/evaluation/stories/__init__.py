"""The score of a model that tells stories: what a program can see, and what a judge says of its completions."""
