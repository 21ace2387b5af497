#ifndef TEST_JWS_KEYS_H
#define TEST_JWS_KEYS_H

/*
 * RSA_A2, EC_A3 and EC_A4 are the keys of RFC 7515 appendix A, ED25519_A1 that of RFC 8037 appendix A.1, written
 * as PEM; the others were made for these tests and open nothing. The encrypted ones open with "open sesame".
 */

#define RSA_A2                                                                                                         \
    "-----BEGIN PRIVATE KEY-----\n"                                                                                    \
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCh+BYK4uPJtGXO\n"                                               \
    "jS1lYmM2K5J9vinh8CR3/BYlzJChNuOL2TSXxbbqY913EeZ8dCn5VrD7io8ImtxL\n"                                               \
    "aYk8wTM/U+3QGbh3hCUv7JFP5IV3aVlL6kKA0ywPVb9ilE8TA5a8bpvfbr3SvaNn\n"                                               \
    "juygxmj3AbONv/s4yDQs4v5tJ/reSlpIdJed1LnPmt7Ex1sFhSwsD174pcF1A5L5\n"                                               \
    "ROjtZMEQxrZHYJqkeDrrnGya11UxMFBji4NmXG9veoKjlnAqH2QbgtPr8jkiGUkf\n"                                               \
    "toaHLFcW9Qr4NY2ai50Xw0Byj3+H2JoY2PyrZ62EWQwuz3WTOTY8BwNNb2BvniHg\n"                                               \
    "VFbK5emhAgMBAAECggEAEq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyW\n"                                               \
    "PEAeP88vLNO97IjlA7/GQ5sLKMgvfTeXZx9SE+7YwVol2NXOoAJe46sui395IW/G\n"                                               \
    "O+pWJ1O0BkTGoVEn2bKVRUCgu+GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzj\n"                                               \
    "kn439X0M/V51gfpRLI9JYanrC4D4qAdGcopV/0ZHHzQlBjudU2QvXt4ehNYTCBr6\n"                                               \
    "XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl/x/jTj3ccPDVZFD9pIuhLhBOneufuBiB\n"                                               \
    "4cS98l2SR/RQyGWSeWjnczT0QU91p1DhOVRuOopznQKBgQDgHMQQ60imZV1URk0K\n"                                               \
    "pLttoLhyt3SmqdEf/kgHePDdtzEafpAu+cS191R2JiuoF2yzWXnwFDcqGigp5BNr\n"                                               \
    "0AHQfD8/Lk8l1Mk09jxxCfui5nYooNyac8YFjm3vItzVCVDnEd3BbVWG8qf6deqE\n"                                               \
    "lMGAg+C2V0L4oNXnP7LZcPAZRwKBgQC5A8R+CZW2MvRTLLHzwZkUXV866cff7tx6\n"                                               \
    "kqa0finGG0KgeqlaZPxgCZnFp7AeAcCMtiynVlJ7vMVgePsLq6XtON4tB5kP9jAP\n"                                               \
    "rq3rbAOal78eUH5OcED6eNuCV8ixEu1eWcPNCS/l1OW1EnXUEoEHKl54Xrrz2uNw\n"                                               \
    "kgMTP1FZ1wKBgAcCn1dwJKufzBWQxWQp1vsM5fggqPN1qGb5y0MAk3g7/Ls5bkUp\n"                                               \
    "5u9SN0Ai3Ya6hNnvWJMb7sXQX6U/zyO2M/hTip7tUeh7CXgwo59dkpN75gJLVds2\n"                                               \
    "9+DAncu3KXU4f2Fa+7bLNrur53k8KwPOq2bbuTG69QtV7Jr5MR0AHWKNAoGBAIf/\n"                                               \
    "evpitUf+4JYbLpvNXWcY052Mpz22aR84mY3nh3F2LF2mjMJDpTg7FmuyPcVw6EcG\n"                                               \
    "yoAe9fa65iNqCq+jdw6PVNGo2hxfjSiZ8IIzHdsPXI89//pMjZcQK9r+CCoRjaZj\n"                                               \
    "OYiIDktVWZzmevJuv6WywUqd57LE3Zar3dLSIkx1AoGAIYd7DHOhrWvxkwPQsRM2\n"                                               \
    "tOgrjbcrfvtQJipd+DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd/QJQ3\n"                                               \
    "ydy5cY7YIBi87w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp/gh6A56\n"                                               \
    "03k2+ZQwVK0JKSHuLFkuQ3U=\n"                                                                                       \
    "-----END PRIVATE KEY-----\n"

#define RSA_A2_TRADITIONAL                                                                                             \
    "-----BEGIN RSA PRIVATE KEY-----\n"                                                                                \
    "MIIEowIBAAKCAQEAofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd/wWJcyQoTbji9k0\n"                                               \
    "l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL+yRT+SFd2lZS+pC\n"                                               \
    "gNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb/7OMg0LOL+bSf63kpaSHSX\n"                                               \
    "ndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD\n"                                               \
    "Zlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxXFvUK+DWNmoudF8NAco9/h9iaGNj8\n"                                               \
    "q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQIDAQABAoIBABKucaRpzQorw35S\n"                                               \
    "bEUAVx8dYXUdZOlJcHtiWQ+dC6V8ljxAHj/PLyzTveyI5QO/xkObCyjIL303l2cf\n"                                               \
    "UhPu2MFaJdjVzqACXuOrLot/eSFvxjvqVidTtAZExqFRJ9mylUVAoLvhowVWmC1O\n"                                               \
    "n95fZCXxTUtxNEG1Xcc7m0rtzJKs45J+N/V9DP1edYH6USyPSWGp6wuA+KgHRnKK\n"                                               \
    "Vf9GRx80JQY7nVNkL17eHoTWEwga+lwi0FEoW9Y7lDtWXYmKBWhUE+U8PGxlJf8f\n"                                               \
    "40493HDw1WRQ/aSLoS4QTp3rn7gYgeHEvfJdkkf0UMhlknlo53M09EFPdadQ4TlU\n"                                               \
    "bjqKc50CgYEA4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH/5IB3jw3bcxGn6QLvnE\n"                                               \
    "tfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw/Py5PJdTJNPY8cQn7ouZ2KKDcmnPG\n"                                               \
    "BY5t7yLc1QlQ5xHdwW1VhvKn+nXqhJTBgIPgtldC+KDV5z+y2XDwGUcCgYEAuQPE\n"                                               \
    "fgmVtjL0Uyyx88GZFF1fOunH3+7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYs\n"                                               \
    "p1ZSe7zFYHj7C6ul7TjeLQeZD/YwD66t62wDmpe/HlB+TnBA+njbglfIsRLtXlnD\n"                                               \
    "zQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdcCgYAHAp9XcCSrn8wVkMVkKdb7\n"                                               \
    "DOX4IKjzdahm+ctDAJN4O/y7OW5FKebvUjdAIt2GuoTZ71iTG+7F0F+lP88jtjP4\n"                                               \
    "U4qe7VHoewl4MKOfXZKTe+YCS1XbNvfgwJ3Ltyl1OH9hWvu2yza7q+d5PCsDzqtm\n"                                               \
    "27kxuvULVeya+TEdAB1ijQKBgQCH/3r6YrVH/uCWGy6bzV1nGNOdjKc9tmkfOJmN\n"                                               \
    "54dxdixdpozCQ6U4OxZrsj3FcOhHBsqAHvX2uuYjagqvo3cOj1TRqNocX40omfCC\n"                                               \
    "Mx3bD1yPPf/6TI2XECva/ggqEY2mYzmIiA5LVVmc5nrybr+lssFKneeyxN2Wq93S\n"                                               \
    "0iJMdQKBgCGHewxzoa1r8ZMD0LETNrToK423K377UCYqXfg5XMclbrjPbEC3YI1Z\n"                                               \
    "NqMtuhdBJqUnBi6tjKMF+34Xf0CUN8ncuXGO2CAYvO8PdyCixHX52ybaDjy1FtCE\n"                                               \
    "6yUXjoKNXKvUm7MWGsAYH6f4IegOetN5NvmUMFStCSkh7ixZLkN1\n"                                                           \
    "-----END RSA PRIVATE KEY-----\n"

#define RSA_A2_ENCRYPTED                                                                                               \
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                                                                          \
    "MIIFLTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIyaFA0QC5MK8CAggA\n"                                               \
    "MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEqBBBikAA+HTBAMSkOYUqRJvuWBIIE\n"                                               \
    "0Hv/QUiXh+NG0WJzwH3mRcgQUI0OQMtwze1QVaUgNmfuEYEw1aJHTBM3CoRJE13G\n"                                               \
    "6MZAfxgWlzr57RHxdhOJRkBLmtI5pB71IqsN2BejIkXlzumxehA3g7FTyZSxWVWQ\n"                                               \
    "a028eGf/T6xRCyhXO4jTXD753AfTE17N/w8bmm0HC/UXMlRCjh8pNt9+oYnf26VS\n"                                               \
    "In9NPpI1iHbngZ4MoQYNiylTW4aDSwbq61Ddi6u3odXJqv1P9776uMn/02Ns8DUh\n"                                               \
    "EorzVlSXHcV11lS4jiHc7bKfLL/SewS0DQ4xsuZopASS9jQbUuT5PPXgctBTaTMJ\n"                                               \
    "F57IeH5M6qXnI+r1QfNh3RHtC/ddcdFw6q3d0lub+cWE1FUzdDtbiK0ZABUvXd9p\n"                                               \
    "vUx0dzgncIS7hda4nwx0VTb7VyB+IsC+EV4ubRe/X1y7N87e5N+fou8DCfQ9fRIZ\n"                                               \
    "s6fOffJ6jBpJNQD4vW5hMupIiNGauSTxl1GlqxS4+ZtBRte+3MXFbnkIOb5Uknhb\n"                                               \
    "3L6lBB58G9MiqTDa5YXfgbvPoyqTPUHhTm9P7SkNL+fCz4F+9AccL6+YKMTKiHeu\n"                                               \
    "Wh9xO7vNgwOixQjTCzvKQaC6Yrhr0fsgOfPQPBYPGt8l+A/gvmNNzNnFSoP4JpTV\n"                                               \
    "sIVizMrZTLJxk7Kv4xhPnTJcfhWCRaL9nENg5GKe3zgQNmHVngG/unV/8MLnvoZ+\n"                                               \
    "L35QniHtrnCNnQJUBTcY2PS42zYgBXRrIANA5mqg4TT04DLOij9ltE3XMZtN6aI6\n"                                               \
    "HdnHASjfgqlIpWQEMSkMRdeQqpWaGKRfupbLeD5OoaM53volp0mJiETHgj/yIg6y\n"                                               \
    "/nsfAMvfVkFqIBjx0AWtMW1yQBbK5q+hZlGqGl87BoTP8tr5DciTzVdKNiab8W5e\n"                                               \
    "pl4t7yxuryI1jMO0PYecEqqjeBhH9vwnKvGSln1Q3lfGbsJMYGmD8boaCDRBxgq9\n"                                               \
    "oo7kWAWRZ5/Td3szk7uX2jYVfeHlBAFZHqR0M6LDiJvJUv2zvOYglFw5L6reP4EY\n"                                               \
    "bGw+V4wzEQIb8o0N01Ou5JFjA2DNQ9OiFA38hYV2iY4fJe7OZaxbPvbJVhO8XcF/\n"                                               \
    "GKlnojiAyTlMhhOaSj7POaOwgE+wRQkZlGvZ5Ep6W8e+B5T7YPZ68/532uC4V5AY\n"                                               \
    "4NX1vd/lwxffU3MeRjoIfAK7ghvC67hGObQaahGTGa9enpcAOcjyioAcmiFebHMx\n"                                               \
    "cF0Da72SY27/7aP97Bgv5u11mM1K4yn8KGxYmg0J2wrw1Wf9ukvfFaJDBRF9wmcZ\n"                                               \
    "dustSPeS5y0qSFsnQ0tYPUIOQf62IXLeYWAlZikBj4vs4DJCgDTRSgnAPceGziec\n"                                               \
    "CTsbxbKEk2GXTsWzqelFrlia6BDaLOC+RFMWjGgPPL24/l+a+R3vp6U80Tt8t8QG\n"                                               \
    "PjUy51JCb/BSqNU/0HErMipOEkK7eVhw9QzslUtdEwTVzwV75Mk3GrTBCkSPoycn\n"                                               \
    "SBWXdXMsCvkyE0ESAxBHwPczxaZ/6UY8YTJ6K+BxsZwsWUi/cM7M709rFLcu8vZg\n"                                               \
    "yDl/vRybv7r0BX2QBe+DqI5dE4RU6L3ZnIgJ2KNIl2bkSg26T0qRoAb89DBk5Scd\n"                                               \
    "rLREyqZL/IDWpCihQL29qI3bS1NlfvV1gjXkyXBrLdyJ\n"                                                                   \
    "-----END ENCRYPTED PRIVATE KEY-----\n"

#define RSA_A2_PUBLIC                                                                                                  \
    "-----BEGIN PUBLIC KEY-----\n"                                                                                     \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"                                               \
    "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"                                               \
    "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"                                               \
    "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"                                               \
    "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"                                               \
    "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"                                               \
    "oQIDAQAB\n"                                                                                                       \
    "-----END PUBLIC KEY-----\n"

#define RSA_1024                                                                                                       \
    "-----BEGIN PRIVATE KEY-----\n"                                                                                    \
    "MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAKslF00SyLEPZuxs\n"                                               \
    "UElBkMy7vVrmAJLvSqObk2gIEAeRfnFa6RbK09rKQQ53yO6TW8UNgNbyv55cdckh\n"                                               \
    "zH+ESdtRmCD6N+4R5kwzozUQbBYLLJIJt2dte2yXXMumAONMGXlFhD35gL1swCX5\n"                                               \
    "q0YVtt+535FfQfYum0p9LDk2SgP9AgMBAAECgYEAgjX4InW2J7B2OE64TuQJjRsR\n"                                               \
    "mEUCDsjs2smVP0NTHs79irUGPocW5JGZKa7NO2b2HViGvAN48r2aB+slMaeuoGWj\n"                                               \
    "4ahHkE9j+2g2VpC/xujFF8ZJlVDz1HtWfV4Ohi9VeLrluA3eNjwjaqT33gjplWG/\n"                                               \
    "Jul2aiyILWwMOo6c/oECQQDfhRvm74gGQsSqLhGytzLjEDs1tG9Eu6oOnkC2WlTG\n"                                               \
    "ob/c1JvBRbq3v4PTi+EKODpY/z7VTmWJDmNLDNBg/WDRAkEAxAOkNpbgY0mwCMaq\n"                                               \
    "Lwulc4/9G0mWN4zU8xapeKwCCnmqJfXINvIS8yNTey7VSLyvkWwXeOOO/RYRXeC9\n"                                               \
    "HIXbbQJAAmXMIdMJ83892tF5sSAT9KmU6QORefxFW7jI2uvnIuZTR4wkS5Ny6Euu\n"                                               \
    "n1NNy61EuvWp9+HKZwj3ebOefJvbMQJANQsjOh6UNGoxd/6C+V42dNJnVSYRv5Cd\n"                                               \
    "4/ai/+PUXY9VCxa7Cptxo1hQ9AnVb+yXuku9AlraTATXyEbUBk729QJACFGLjnG0\n"                                               \
    "oAvyZPtyM0v0b6SKm6f+TsxPXkt7zFDMI3CC5QD2OfzryQiQal6QWfzqbnhUgVHq\n"                                               \
    "nopSsH39dXS+lQ==\n"                                                                                               \
    "-----END PRIVATE KEY-----\n"

#define EC_A3                                                                                                          \
    "-----BEGIN PRIVATE KEY-----\n"                                                                                    \
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"                                               \
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"                                               \
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"                                                       \
    "-----END PRIVATE KEY-----\n"

#define EC_A3_TRADITIONAL                                                                                              \
    "-----BEGIN EC PRIVATE KEY-----\n"                                                                                 \
    "MHcCAQEEII6bEJ5xkJi/mASH3x9dd+nLKWBuvtImO19XwhPfhPSyoAoGCCqGSM49\n"                                               \
    "AwEHoUQDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEXH8UTNG72b\n"                                               \
    "focs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"                                                                           \
    "-----END EC PRIVATE KEY-----\n"

#define EC_P384                                                                                                        \
    "-----BEGIN PRIVATE KEY-----\n"                                                                                    \
    "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDB3JCccVtkRNmPZHo8M\n"                                               \
    "Mno2Hb081j4XsHSo++12CnvChwIAP56IBgWW0GH+qKT0CjyhZANiAARYOiv2Ge4r\n"                                               \
    "YqoRBR+z0aPtIJaoreX3l92GFpKP0S5Qj4DOtFd/O9Qz8G9CAw8C8/3CRDCjctGD\n"                                               \
    "bBc8i9ViVzUCN8wK6M5H16s7NrYgF1uxd3GgDjuNuU8fo7LZy+FWWL0=\n"                                                       \
    "-----END PRIVATE KEY-----\n"

#define EC_A4                                                                                                          \
    "-----BEGIN PRIVATE KEY-----\n"                                                                                    \
    "MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIBjmlvsDRQWIHdEQtI\n"                                               \
    "Prh9Ms5JX+NrN0Xt8tjK5PDyU59GFaDpjqtSs8DF6sTOB1GFqOe7R96sHR3ne8z2\n"                                               \
    "YTXmPYKhgYkDgYYABAHpKQUPEk/GvFXH1TkzZd+d70qwwiyyV5j5NOsE48a643Aa\n"                                               \
    "V6eRDp2BvzYxWejryxVdY0n0vbbM+KlMXFnHqsEBpAA0pkQON2dQ0jcf0b3CyPO3\n"                                               \
    "HS9O5eo0MsgVzKMVYP5dk4fsd0tVg4Yw5cu/Woy+CpHdAGTGmZofbm5n+t3t5MjI\n"                                               \
    "9g==\n"                                                                                                           \
    "-----END PRIVATE KEY-----\n"

#define ED25519_A1                                                                                                     \
    "-----BEGIN PRIVATE KEY-----\n"                                                                                    \
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"                                               \
    "-----END PRIVATE KEY-----\n"

#define ED448                                                                                                          \
    "-----BEGIN PRIVATE KEY-----\n"                                                                                    \
    "MEcCAQAwBQYDK2VxBDsEOQy3AJ0GPbKpS7mxucyDzXEPTTtDT6LyDT5o6SZQ1ioD\n"                                               \
    "KWT7ae0M+9LbdxoBsoI++P6c35Qh+bZgIA==\n"                                                                           \
    "-----END PRIVATE KEY-----\n"

#define RSA_A2_TRADITIONAL_ENCRYPTED                                                                                   \
    "-----BEGIN RSA PRIVATE KEY-----\n"                                                                                \
    "Proc-Type: 4,ENCRYPTED\n"                                                                                         \
    "DEK-Info: AES-256-CBC,66AF2F56F269464F3AA9AEB61BA48B99\n"                                                         \
    "\n"                                                                                                               \
    "Og23FlEhnuKkBLJGdQfXcHF1RRkDbaBAW66Qh+hDVWqQ0ip+xy9o30rexBbPpfhF\n"                                               \
    "kGFlgfFrn4JgKLXxj9y+LijOVvRbQw3j9depznLHVI75Juab66szwylHuljFxnK9\n"                                               \
    "H17JlUqCTFpC5TEFNOfATxK9z+jDU+aIL+/oTkylEmF92JDPDDTvbTDFfCAUeA57\n"                                               \
    "fK9jJorFWxkq+GrPTXqyNjF9NQtRXo58TPbEss6QHtCGV1Xu0jiaBw12USnNZ3gT\n"                                               \
    "NfisVmk+JL4TzVS6kgiy2ZnO5xV0am/XO6Qf3ktrZ3SIVaLNpXRIBMjjuqjXlPUe\n"                                               \
    "eTYjnVcFyOWRggoZHt8mI49C2pWXTOtrM72Nbw+OJFYxYEKrCzeZyXl0GOZI+8Cb\n"                                               \
    "lEi+hq5gKfbPHz/nCkdN2fMx5V4aTiA08J7+aGm0m3Rh9w4QOoRicam2wiY4c8ky\n"                                               \
    "7uYf8E+F40UO7eQy10BYBYZFgHzYUYUlLDJ9PZnRAkiLMCBBE9Glh+/6/TMepLKp\n"                                               \
    "bTkbJcKdr3Wg7NiCMSBsTTLEJpjLPhcK2DErGPoFeNIbJluyIFU3yv7mtyj5hUBA\n"                                               \
    "57PO6+Cr4PqgqMPOHE8bYp8cuJUZVXWWSROJsTDtGpIvfnf9joGWCjDeKtw0EvPF\n"                                               \
    "1RAQ47sksoUuI2mfsPhGI0WbJ/yDpRMkiSE/KSHlqEAsDEqx/gb2Jn2FDx7/F548\n"                                               \
    "xMASzrLZRUTTK2nj5bdduY3WTRBAHQgMfXUBwkmsQVfDM02huUcub8gMAWvd1RbW\n"                                               \
    "EN5vQxALCYpnTtpe7teLwxxxqBsJr3Vgv2BOkCNc3Ez93omntFF6k/qOfbMuA6qB\n"                                               \
    "b7e0zdaffcU4acmTqPTJtgrLxBeaMCa/Bqivqv5TFupJH39qBiN6G6epL+OX92LG\n"                                               \
    "o1O37dy1DynfkTp5Y0/xNvCaVx5TtI0Rqyz8TCYMCjkcL/hatQSizNurobgr+BZK\n"                                               \
    "PoFy0EDCjVfOG+COCjamYL1OHziE9cmYwMRTBsCkFE5IH83FoxogQ4c9T8FV68jC\n"                                               \
    "jjqRRNkxKlzWBJ0+w9fdPW+Ln5kBRJkcqrBv+8OXoILx0xX4X2WsPUofnEiIOYUu\n"                                               \
    "tkLrlS+946apwWJ2cfQYlH1sTg0WUV37OeLZ5/r5I0ge5BuUHJXukylUdk9+HaAz\n"                                               \
    "d/WP3eWqoOEudSHcIEjYv+/zZS/gyYdxL5Uglht7hu3MpvJmDOPF23VudiwkxQQV\n"                                               \
    "cXyxKl4mk6Np/BzwSFV1Fl+iQHMP5mueDJfbfmF3UnHSYmH89B0dmiBiHTl6CRE0\n"                                               \
    "03Zl5p5zXHliAtFdANWgnrr5BjJCoAXdZEdUKC8e+pYeZXNQkPqMP6TIzO4Y7X1d\n"                                               \
    "QOq300oJ/dARRceeVrYxh5YABa07xzZTlOFuMXq0KIS+H0XLrhdKRQg6QpGswss1\n"                                               \
    "cjSuNs7OSsbkbkdaIbrYZaFlg3p2YtVrvysklROORD+Kc4MqTpLzNLlnbGbekBpc\n"                                               \
    "oSxKMs+9iRm29y977pE2PBxIPd+Esh2+2e+5ygF0yGVulFU8NbztKtz69U5xq/6A\n"                                               \
    "P53/PihkadmigWEdZkucc0Mgqc8nr+OH9BYRrmjCiwPgLzZ+5jIgaGpTcEWDQn48\n"                                               \
    "-----END RSA PRIVATE KEY-----\n"

#endif
