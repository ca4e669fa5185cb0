from visavis.conversation.context import Context


def test_consecutive_words_of_one_speaker_become_one_message():
    context = Context("prompt")
    context.add_person("I have")
    context.add_person("a dog")
    assert [m.content for m in context.with_person("called Rex")] == ["prompt", "I have a dog called Rex"]


def test_unheard_replies_leave_no_trace():
    context = Context("prompt")
    context.add_person("hello")
    context.add_replica("")
    assert [m.role for m in context.with_person("again")] == ["system", "user"]


def test_looking_ahead_changes_nothing():
    context = Context("prompt")
    context.with_person("what if")
    assert [m.content for m in context.with_person("now")] == ["prompt", "now"]


def test_old_turns_are_dropped_in_halves_and_the_rest_begins_with_the_person():
    context = Context("prompt", budget_chars=400)
    for n in range(40):
        context.add_person(f"question {n} " + "x" * 20)
        context.add_replica(f"answer {n} " + "x" * 20)
    messages = context.with_person("last")
    assert messages[0].content == "prompt"
    assert messages[1].role == "user"
    assert sum(len(m.content) for m in messages) <= 410
    assert "answer 39" in messages[-2].content


def test_prompt_can_be_extended_and_replaced():
    context = Context("prompt")
    context.append_system("fact")
    assert context.with_person("hi")[0].content == "prompt\n\nfact"
    context.overwrite_system("new")
    assert context.with_person("hi")[0].content == "new"
