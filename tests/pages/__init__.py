"""Pages as the people who use them meet them: in a real browser, by keyboard, narrow, without script, read aloud."""
