// The client of seed 001, as it stands there but for the import line: it has to work unchanged.
const { Socket } = Phoenix;

class AISessionClient {
  constructor(businessId, userId) {
    this.businessId = businessId;
    this.userId = userId;
    this.socket = null;
    this.messagesChannel = null;
    this.currentSessionId = null;
    this.messageHistory = [];
    this.isConnected = false;
  }

  // Conectare la WebSocket
  connect() {
    this.socket = new Socket("/socket", {
      params: { 
        businessId: this.businessId,
        userId: this.userId 
      }
    });

    this.socket.connect();

    // Join la canalul de mesaje
    this.messagesChannel = this.socket.channel(`messages:${this.businessId}`, {
      userId: this.userId
    });

    this.messagesChannel.join()
      .receive("ok", resp => {
        console.log("Conectat la canalul de mesaje:", resp);
        this.isConnected = true;
        this.loadTodaySession();
      })
      .receive("error", resp => {
        console.error("Eroare la conectarea la canal:", resp);
      });

    // Ascultă pentru răspunsuri AI
    this.messagesChannel.on("new_message", payload => {
      console.log("Mesaj nou primit:", payload);
      this.handleNewMessage(payload);
    });

    // Ascultă pentru broadcast-uri
    this.messagesChannel.on("message_processed", payload => {
      console.log("Mesaj procesat:", payload);
    });

    // Gestionare reconectare
    this.socket.onClose(() => {
      console.log("Conexiune WebSocket închisă");
      this.isConnected = false;
      setTimeout(() => this.connect(), 5000);
    });
  }

  // Încărcare sesiunea zilei
  async loadTodaySession() {
    try {
      // Pentru WebSocket, sesiunea se va crea automat la primul mesaj
      // Generăm un ID temporar pentru afișare
      const today = new Date();
      const startOfDay = new Date(today.getFullYear(), today.getMonth(), today.getDate());
      const tempSessionId = `${this.businessId}:${this.userId}:${startOfDay.getTime()}`;
      
      this.currentSessionId = tempSessionId;
      
      console.log("Sesiunea temporară încărcată:", tempSessionId);
      console.log("Sesiunea reală se va crea la primul mesaj");
    } catch (error) {
      console.error("Eroare la încărcarea sesiunii:", error);
    }
  }

  // Încărcare istoric mesaje
  async loadMessageHistory(sessionId) {
    try {
      const response = await fetch(`http://localhost:3001/api/sessions/${sessionId}/messages?limit=100`);
      const data = await response.json();
      
      this.messageHistory = data.messages || [];
      this.displayMessageHistory();
      
      console.log("Istoric încărcat:", this.messageHistory.length, "mesaje");
    } catch (error) {
      console.error("Eroare la încărcarea istoricului:", error);
    }
  }

  // Trimitere mesaj către AI prin WebSocket
  async sendMessage(content, context = {}) {
    if (!this.isConnected) {
      console.error("Nu sunt conectat la WebSocket");
      return;
    }

    const messageData = {
      businessId: this.businessId,
      locationId: 'default', // Sau ID-ul locației specifice
      userId: this.userId,
      message: content,
      sessionId: this.currentSessionId,
      timestamp: new Date().toISOString()
    };

    try {
      // Trimitere mesaj prin WebSocket
      this.messagesChannel.push("new_message", messageData, (response) => {
        if (response.status === 'ok') {
          console.log('Mesaj trimis cu succes');
        } else {
          console.error('Eroare la trimiterea mesajului:', response);
        }
      });

      // Adaugă mesajul utilizatorului în istoric local
      const userMessage = {
        messageId: this.generateMessageId(),
        sessionId: this.currentSessionId,
        businessId: this.businessId,
        userId: this.userId,
        content: content,
        type: 'user',
        timestamp: new Date().toISOString(),
        metadata: { source: 'websocket' }
      };
      
      this.messageHistory.push(userMessage);
      this.displayMessage(userMessage);
      
    } catch (error) {
      console.error('Eroare la trimiterea mesajului:', error);
    }
  }

  // Generare ID mesaj local
  generateMessageId() {
    return `msg_${Date.now()}_${Math.random().toString(36).substr(2, 9)}`;
  }

  // Gestionare mesaj nou primit
  handleNewMessage(payload) {
    const { message, timestamp, responseId, sessionId } = payload;
    
    // Adaugă răspunsul AI în istoric
    const aiMessage = {
      messageId: responseId || this.generateMessageId(),
      sessionId: sessionId || this.currentSessionId,
      businessId: this.businessId,
      userId: 'agent',
      content: message,
      type: 'agent',
      timestamp: timestamp,
      metadata: { source: 'websocket', responseId }
    };
    
    this.messageHistory.push(aiMessage);
    this.displayMessage(aiMessage);
    
    // Actualizează sessionId dacă este nou
    if (sessionId && sessionId !== this.currentSessionId) {
      this.currentSessionId = sessionId;
      console.log('Nouă sesiune creată:', sessionId);
    }
  }

  // Afișare mesaj în UI
  displayMessage(message) {
    const messageDiv = document.createElement('div');
    messageDiv.className = `message ${message.type}-message`;
    
    const isUser = message.type === 'user';
    const sender = isUser ? 'Tu' : 'AI Agent';
    
    messageDiv.innerHTML = `
      <div class="message-header">
        <span class="sender">${sender}</span>
        <span class="time">${new Date(message.timestamp).toLocaleTimeString()}</span>
      </div>
      <div class="message-content">${message.content}</div>
    `;
    
    document.getElementById('chat-container').appendChild(messageDiv);
    messageDiv.scrollIntoView({ behavior: 'smooth' });
  }

  // Afișare istoric complet
  displayMessageHistory() {
    const container = document.getElementById('chat-container');
    container.innerHTML = ''; // Curăță container-ul
    
    this.messageHistory.forEach(message => {
      this.displayMessage(message);
    });
  }

  // Deconectare
  disconnect() {
    if (this.messagesChannel) {
      this.messagesChannel.leave();
    }
    if (this.socket) {
      this.socket.disconnect();
    }
  }
}
