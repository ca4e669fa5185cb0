"""What a call does when it is asked to: every interaction, wherever it came from."""

from visavis.conversation import interactions, manners
from visavis.conversation.context import Context
from visavis.conversation.echoes import Echoes
from visavis.conversation.floor import Floor
from visavis.conversation.persona import PipelineMode
from visavis.conversation.toolbox import Toolbox
from visavis.conversation.turns import Turns
from visavis.errors import BadInputError
from visavis.replica import Renderer

_FOR_THE_MODEL = (interactions.Respond, interactions.OverwriteContext, interactions.AppendContext)


def change_context(context: Context, wanted: interactions.OverwriteContext | interactions.AppendContext) -> None:
    """Do what can be done without a call."""
    if isinstance(wanted, interactions.OverwriteContext):
        context.overwrite_system(wanted.properties.context)
    else:
        status = wanted.properties.job_status
        context.append_system(f"{f'({status}) ' if status else ''}{wanted.properties.context}")


class Controls:
    """The controls of one call."""

    def __init__(
        self,
        mode: PipelineMode,
        context: Context,
        turns: Turns,
        echoes: Echoes,
        floor: Floor,
        renderer: Renderer[object],
        toolbox: Toolbox,
    ) -> None:
        self._mode = mode
        self._context = context
        self._turns = turns
        self._echoes = echoes
        self._floor = floor
        self._renderer = renderer
        self._toolbox = toolbox

    def obey(self, wanted: interactions.Interaction) -> None:
        """Do it. Raises `BadInputError` where that makes no sense at the moment."""
        if self._mode == "echo" and isinstance(wanted, _FOR_THE_MODEL):
            raise BadInputError("event_type", wanted.event_type, "conversation.echo, because this persona only echoes")
        match wanted:
            case interactions.Respond():
                self._turns.interrupt()
                self._echoes.clear()
                self._turns.respond(wanted.properties.text)
            case interactions.Echo():
                self._echoes.add(wanted.properties)
            case interactions.Interrupt():
                self._turns.interrupt()
                self._echoes.clear()
            case interactions.OverwriteContext() | interactions.AppendContext():
                change_context(self._context, wanted)
                self._turns.context_changed()
            case interactions.SetSensitivity(properties=new):
                manners.change(self._floor, new.participant_pause_sensitivity, new.participant_interrupt_sensitivity)
            case interactions.SetEmotion():
                self._renderer.express(wanted.properties.emotion)
            case interactions.ToolResult():
                self._toolbox.settle(wanted)
