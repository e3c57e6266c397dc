/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All of the lab in one line, for tests.
 *
 *   util.h   cleanup at scope end, deadlines
 *   ns.h     namespaces, and calls inside them
 *   child.h  commands and servers inside them
 *   net.h    wirings: client - middle - server, and client - server
 *   sock.h   sockets of any type inside them
 *   frag.h   datagrams cut into fragments by hand
 *   send.h   senders of finished packets
 *   attack.h floods of fragments
 *   asker.h  a steady DNS client
 */
#pragma once

#include "asker.h"
#include "attack.h"
#include "child.h"
#include "frag.h"
#include "net.h"
#include "ns.h"
#include "send.h"
#include "sock.h"
#include "util.h"
