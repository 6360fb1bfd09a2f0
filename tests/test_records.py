"""What a conversation tells of itself."""


def test_messages_and_markers_can_be_read_as_often_as_one_likes(talk):
    one = talk()

    assert [message.text for message in one.messages] == ["When does it come?", "Your parcel comes on friday."]
    assert one.messages[-1] is one.turns[-1].message
    assert len(one.messages) == 2
    assert [marker.principle for marker in one.markers] == ["be_plain"]
    assert one.markers == one.markers
