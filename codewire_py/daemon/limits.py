"""every limit of the daemon, in one place (docs/protocol.md lists them)"""

from __future__ import annotations

HELLO_SECONDS = 10.0  # for a peer to say hello and ask something
CONVERSATIONS = 4096  # at once; when full, the oldest that has not said hello makes room
DESCRIPTORS_EACH = 3  # that a conversation may need, of those the system lets us have
BACKLOG = 1024  # connections that may wait while the daemon is being replaced
REPLY_SECONDS = 60.0  # for a peer to take a reply; a peer that reads a stream may be as slow as it likes
COMMAND_WORDS = 4096  # of the program to launch
COMMAND_BYTES = 1 << 20  # of all its words together
TAGS = 32  # of one session
SESSION_COUNT = 10000  # kept at once, ended ones included
LEAVE_SECONDS = 10.0  # for requests under way to finish when the daemon is stopped or replaced
KEEPER_SECONDS = 15.0  # for the hatchery to answer an order
VISIT_SECONDS = 5.0  # for a killed keeper's successor to open its door
ENDED_SHOWN_SECONDS = 86400.0  # `list` without --all shows what ended within a day
SLICE_BYTES = 16 << 10  # that a screen takes in before others have their turn
FLOOD_BYTES = 3 << 19  # that a screen may be behind; beyond it only what came last is replayed
REPLAYED_BYTES = 512 << 10  # of a flood
FAR_BEHIND_BYTES = 4 << 20  # that a viewer may be behind; beyond it it is painted afresh
LATE_QUESTIONS = 64  # that a new daemon finds and may answer
LATE_BYTES = 64 << 10  # in which it looks for them
ANSWER_SECONDS = 2.0  # old a query may be that is answered
IDLE_LAG_BYTES = 256 << 10  # that the screen of a session nobody looks at may be behind
FRAME_SECONDS = 0.033  # between two paints for a viewer whose terminal has another size
HANDOVER_SECONDS = 0.1  # before a viewer hears that it is foremost: the one before hears first that it is not
STATUS_SECONDS = 1.0  # after which a status line is looked at again
SCREENS = 16  # in memory at once, for those who look again soon
UNSEEN_FLOOD_BYTES = 32 << 20  # as FLOOD_BYTES, for a screen that nobody waits for
PAST_FLOOD_BYTES = 64 << 20  # the same for a past moment, for which somebody waits some seconds
CHECKPOINT_EVERY_BYTES = 1 << 20  # of output
CHECKPOINT_LINES = 5000  # of scrollback
AGAIN_SECONDS = 5.0  # after trouble with one session
