"""The routing platforms as an operator looks at them: what each can do, whether it answers, where we differ."""
