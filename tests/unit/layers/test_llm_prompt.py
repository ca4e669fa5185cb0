from visavis.layers.llm.prompt import for_small_model, spoken_style


def test_the_persona_stays_as_it_was_written() -> None:
    persona = "You are Ines.\n\nThe museum opens at ten."
    assert persona in spoken_style(f"  {persona}\n")


def test_the_rules_of_speaking_are_added() -> None:
    rules = spoken_style("")
    assert rules == rules.strip()
    assert "short" in rules
    assert len(spoken_style("You are Ines.")) > len(rules)


def test_a_small_model_is_told_more_after_the_same_beginning() -> None:
    framed = spoken_style("You are Ines.")
    assert for_small_model(framed).startswith(framed)
    assert len(for_small_model(framed)) > len(framed)
