/*
 * agent.h - what omerta-health does at one end, asked over a pipe
 *
 * What:  reads questions, one JSON text a line, from standard input and answers each on standard
 *        output: questions to the daemon of this machine, commands, two ports that echo and
 *        swallow. At the end of its input it takes back what it changed.
 * Why:   ssh, a namespace and this machine are then the same to who measures; and a runner that is
 *        killed, or whose line is cut, leaves nothing blocked.
 * Keeps: agent_takes_back_at_the_end_of_its_input; agent_says_what_a_command_said;
 *        agent_refuses_what_it_does_not_know.
 *
 *   {"do": "hello"}                     {"root", "pid"}
 *   {"do": "rpc", "method", "params"}   {"result"}; with "undo": "expose.remove" that is asked for
 *                                       the result's id in the end
 *   {"do": "run", "argv"}               {"out"}; with "undo": an argv that is run in the end, or at
 *                                       once when this one fails
 *   {"do": "back", "down"}              steps are taken back until there are so many; {"steps"}
 *   {"do": "serve", "address"}          {"echo", "sink"}: ports
 *   {"do": "sunk"}                      {"bytes", "datagrams", "datagram_bytes"} swallowed so far
 *
 * Every reply has "steps", how many there are to take back; what failed has "error", a sentence.
 * Signals of a terminal are for who asks; the end of the input is for the agent.
 */
#ifndef OM_HEALTH_AGENT_H
#define OM_HEALTH_AGENT_H

/**
 * om_agent_main() - be the agent until the end of standard input
 * @home:  of the daemon; NULL: the environment decides
 *
 * Return: 0; 1 when something could not be taken back, which was said on standard error.
 */
int om_agent_main(const char *home);

#endif
