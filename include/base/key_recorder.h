#ifndef BASE_KEY_RECORDER_H
#define BASE_KEY_RECORDER_H

/*
 * Removes the environment variables by which libraries write TLS session keys or a connection's content to a file
 * (SSLKEYLOGFILE, QLOGDIR): whoever sets one for this process could read every secret on the wire. Before any library
 * starts and before there are threads.
 */
void key_recorder_disable(void);

#endif
