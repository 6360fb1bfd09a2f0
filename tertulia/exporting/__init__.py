"""What exporters share: rows and their ids, columns, one side of a conversation, pairs, texts, cards, the Hub."""
