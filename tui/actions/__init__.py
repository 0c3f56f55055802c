"""What a person does on the screen, with the questions that go before."""
